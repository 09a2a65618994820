/** Small behaviours by attribute. Everything they help with also works without them. */

export function installControls(root: Document): void {
  root.addEventListener("click", (event) => {
    const target = event.target as Element;
    const copy = target.closest<HTMLElement>("[data-copy], [data-copy-address]");
    if (copy) void copyText(copy, copy.dataset["copy"] ?? location.href);
    const fill = target.closest<HTMLElement>("[data-fill]");
    if (fill) addLine(root, fill);
    for (const menu of root.querySelectorAll<HTMLDetailsElement>("details[data-menu][open]")) {
      if (!menu.contains(target)) menu.open = false;
    }
  });

  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = (event.target as Element).closest?.<HTMLDetailsElement>("details[data-menu][open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary")?.focus();
  });

  root.addEventListener("submit", (event) => {
    const question = (event.target as HTMLElement).dataset["confirm"];
    if (question && !confirm(question)) event.preventDefault();
  });

  root.addEventListener("change", (event) => {
    const control = event.target as HTMLInputElement;
    if (control.matches("[data-reload]")) {
      const address = new URL(location.href);
      address.search = new URLSearchParams({ [control.name]: control.value }).toString();
      location.assign(address);
    }
    const preferences = control.closest<HTMLFormElement>("form[data-preferences]");
    // Seen at once; the form then keeps it in the cookie.
    if (preferences) {
      root.documentElement.dataset[control.name] = control.value;
      preferences.requestSubmit();
    }
  });
}

async function copyText(control: HTMLElement, text: string): Promise<void> {
  await navigator.clipboard.writeText(text);
  const region = control.ownerDocument.querySelector("[data-live-region]");
  if (region) region.textContent = "Copied";
  control.dataset["copied"] = "";
  setTimeout(() => delete control.dataset["copied"], 1500);
}

function addLine(root: Document, button: HTMLElement): void {
  const field = root.querySelector<HTMLTextAreaElement>(button.dataset["fill"] ?? "");
  if (!field) return;
  const text = button.dataset["text"] ?? "";
  field.value = field.value.trim() ? `${field.value.trimEnd()}\n${text}` : text;
  field.focus();
}
