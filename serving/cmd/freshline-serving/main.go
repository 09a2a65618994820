// Command freshline-serving answers feature lookups under their contracts.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"freshline/serving/internal/app"
	"freshline/serving/internal/config"
)

// The exit codes: 1 for what failed while running, 2 for settings or arguments that cannot be used.
const (
	exitOK = iota
	exitFailed
	exitUsage
)

func main() {
	os.Exit(run(os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr))
}

func run(args []string, lookup func(string) (string, bool), out, errOut io.Writer) int {
	flags := flag.NewFlagSet("freshline-serving", flag.ContinueOnError)
	flags.SetOutput(errOut)
	flags.Usage = func() { usage(errOut) }
	version := flags.Bool("version", false, "print the version and end")
	switch err := flags.Parse(args); {
	case err == flag.ErrHelp:
		return exitOK
	case err != nil:
		return exitUsage
	case flags.NArg() > 0:
		fmt.Fprintf(errOut, "freshline-serving takes no arguments; settings come from the environment (--help)\n")
		return exitUsage
	case *version:
		fmt.Fprintln(out, build())
		return exitOK
	}
	settings, err := config.Load(lookup)
	if err != nil {
		fmt.Fprintf(errOut, "freshline-serving cannot start:\n%s\n", err)
		return exitUsage
	}
	app.TuneCollector(lookup)
	return serve(settings, errOut)
}

func serve(settings config.Config, errOut io.Writer) int {
	var level slog.Level
	_ = level.UnmarshalText([]byte(settings.LogLevel)) // config allows only names that it knows
	log := slog.New(slog.NewJSONHandler(errOut, &slog.HandlerOptions{Level: level}))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	process, err := app.New(settings, build(), log)
	if err == nil {
		err = process.Run(ctx)
	}
	if err != nil {
		log.Error("serving ended", "error", err)
		return exitFailed
	}
	return exitOK
}

// build is what acknowledgements and metrics call this program.
func build() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	revision := info.Main.Version
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			revision = setting.Value
		}
	}
	return "freshline-serving " + revision + " " + info.GoVersion
}

func usage(to io.Writer) {
	fmt.Fprintf(to, "freshline-serving answers feature lookups under their contracts.\n\n"+
		"  --help     this text\n  --version  the version\n\nSettings come from the environment:\n\n")
	for _, setting := range config.Settings() {
		fmt.Fprintf(to, "  %s (%s)\n      %s\n", setting.Name, shown(setting.Default), setting.Meaning)
	}
}

func shown(text string) string {
	if text == "" {
		return "empty"
	}
	return text
}
