// Command benchserving is freshline-serving with one flag more: -unenforced leaves the contracts out. With and
// without it the same program shows what enforcing contracts costs; nobody is meant to serve with it.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"freshline/serving/internal/app"
	"freshline/serving/internal/config"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, os.Args[1:], os.LookupEnv, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "benchserving:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, lookup func(string) (string, bool), errOut io.Writer) error {
	flags := flag.NewFlagSet("benchserving", flag.ContinueOnError)
	flags.SetOutput(errOut)
	unenforced := flags.Bool("unenforced", false, "answer what is stored, whatever the contracts say")
	if err := flags.Parse(args); err != nil {
		return err
	}
	settings, err := config.Load(lookup)
	if err != nil {
		return err
	}
	process, err := app.New(settings, "benchserving", slog.New(slog.NewJSONHandler(errOut, nil)))
	if err != nil {
		return err
	}
	app.TuneCollector(lookup)
	if *unenforced {
		process.LeaveContractsUnenforced()
	}
	return process.Run(ctx)
}
