package grpcapi

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/structpb"

	"freshline/serving/internal/lookup"
)

// A generated client reads a whole detail: tests/serving/test_grpc.py.

func TestADetailFitsIntoTheTrailersThatClientsTake(t *testing.T) {
	long := func(kind string, i int) string { return fmt.Sprintf("%s%0*d", kind, 63-len(kind), i) }
	facts := &lookup.Facts{
		Rows: 10_000, RejectedRows: 9_999, Counts: map[string]uint64{"missing": 1, "unavailable": 2},
		Reasons: map[string]uint64{}, Contracts: map[string]int{}, Bundle: lookup.BundleName{Number: 1 << 40, Digest: strings.Repeat("a", 64)},
	}
	for i := range 2_000 {
		facts.Reasons[long("view", i)+":"+long("feature", i)+" invalid (not_nullable)"] = uint64(i)
		facts.Contracts[long("view", i)] = 1
	}
	detail, err := detailOf(facts)
	if err != nil {
		t.Fatal(err)
	}
	if size := base64.RawStdEncoding.EncodedLen(len(detail.Bytes())); size > 6<<10 {
		t.Errorf("the detail takes %d bytes of a client's 8 KB", size)
	}
	message, err := detail.Value()
	if err != nil {
		t.Fatal(err)
	}
	told := message.(*structpb.Struct).AsMap()
	reasons, contracts := told["reasons"].(map[string]any), told["contracts"].(map[string]any)
	if len(reasons) != mostTold || told["reasons_left_out"] != 2_000.0-mostTold || len(contracts) != mostTold || told["contracts_left_out"] != 2_000.0-mostTold {
		t.Errorf("told %d reasons (%v left out), %d contracts (%v left out)", len(reasons), told["reasons_left_out"], len(contracts), told["contracts_left_out"])
	}
	if reasons[long("view", 1_999)+":"+long("feature", 1_999)+" invalid (not_nullable)"] != 1_999.0 {
		t.Errorf("the most frequent reason is left out: %v", reasons)
	}
	if contracts[long("view", 0)] != 1.0 {
		t.Errorf("of equal ones the first is left out: %v", contracts)
	}
}
