// Command loadgen asks a lookup server in a closed loop and says how that went: each connection sends
// its next request when it has read the whole answer to the last one. It speaks HTTP over bare
// connections, because a client that needs more of the processor than the server measures itself.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "loadgen:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("loadgen", flag.ContinueOnError)
	plan := Plan{Path: "/get-online-features"}
	flags.StringVar(&plan.Address, "address", "127.0.0.1:6566", "host:port of the server")
	flags.StringVar(&plan.Path, "path", plan.Path, "path to post to")
	flags.IntVar(&plan.Connections, "connections", 1, "requests that are under way at once")
	flags.DurationVar(&plan.Warmup, "warmup", time.Second, "how long answers are not counted")
	flags.DurationVar(&plan.Time, "time", 5*time.Second, "how long answers are counted")
	bodies := flags.String("bodies", "", "JSON file: a list of request bodies, sent in turn")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var err error
	if plan.Bodies, err = readBodies(*bodies); err != nil {
		return err
	}
	if plan.Connections < 1 {
		return errors.New("-connections must be at least 1")
	}
	result, err := plan.Run()
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(result)
}

func readBodies(path string) ([]json.RawMessage, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the bodies: %w", err)
	}
	var bodies []json.RawMessage
	if err := json.Unmarshal(text, &bodies); err != nil {
		return nil, fmt.Errorf("read the bodies in %s: %w", path, err)
	}
	if len(bodies) == 0 {
		return nil, fmt.Errorf("%s holds no bodies", path)
	}
	return bodies, nil
}
