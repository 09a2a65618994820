// Command loadgen asks servers for lookups and says how that went. It reads a plan, JSON, from its
// standard input and writes a result for each target to its standard output.
//
// Without a rate it is a closed loop: each connection sends its next request when it has read the whole
// answer to the last one; several targets are asked in turn, request by request, so that whatever else the
// machine does hits all alike. With a rate it is an open loop: requests are due at fixed moments, whether or
// not earlier ones were answered, and times are counted from the moment that a request was due.
//
// It speaks HTTP over bare connections, because a client that needs more of the processor than the server
// measures itself.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "loadgen:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	plan, err := readPlan(in)
	if err != nil {
		return err
	}
	results, err := plan.Run()
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(results)
}
