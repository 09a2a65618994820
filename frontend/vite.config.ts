import { defineConfig } from "vitest/config";

// Addresses inside the bundles are relative, so the files work under any STATIC_URL.
export default defineConfig({
  base: "./",
  build: {
    outDir: "dist",
    emptyOutDir: true,
    manifest: "manifest.json",
    target: "es2023",
    cssTarget: "chrome123",
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1500,
    rolldownOptions: {
      input: ["static_src/main.ts", "static_src/main.css", "static_src/lineage.ts"],
      output: {
        entryFileNames: "assets/[name]-[hash].js",
        chunkFileNames: "assets/[name]-[hash].js",
        assetFileNames: "assets/[name]-[hash][extname]",
      },
    },
  },
  test: { include: ["static_src/**/*.test.ts"], environment: "node" },
});
