package redis

import (
	"math/bits"
	"strconv"
	"testing"

	"freshline/serving/internal/lookup"
)

func TestSlotsAreTheClusters(t *testing.T) {
	// As CLUSTER KEYSLOT gives them; the first is the specification's check value.
	for key, want := range map[string]int{"123456789": 0x31c3, "foo": 12182, "{foo}bar": 12182, "a{}b": 13694, "": 0} {
		if got := slotOf(key); got != want {
			t.Errorf("slot of %q is %d, want %d", key, got, want)
		}
	}
}

func TestAKeyOfAClusterLiesInOnePartAndOneOfASingleServerInAll(t *testing.T) {
	read := &lookup.Read{Project: "p", Keys: [][]byte{[]byte("a")}}
	for url, want := range map[string]int{"redis+cluster://127.0.0.1:1": 1, "redis://127.0.0.1:1": 64} {
		option, err := parseURL(url)
		if err != nil {
			t.Fatal(err)
		}
		if got := bits.OnesCount64((&Store{option: option}).Parts(read)); got != want {
			t.Errorf("%s: a key lies in %d parts, want %d", url, got, want)
		}
	}
	option, _ := parseURL("redis+cluster://127.0.0.1:1")
	read.Keys = nil
	for i := range 1000 {
		read.Keys = append(read.Keys, []byte(strconv.Itoa(i)))
	}
	if got := (&Store{option: option}).Parts(read); got != lookup.EveryPart {
		t.Errorf("a thousand keys lie in the parts %b only", got)
	}
}
