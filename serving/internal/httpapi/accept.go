package httpapi

import (
	"mime"
	"strconv"
	"strings"
)

// The forms that /v1/lookup answers in.
const (
	jsonType  = "application/json"
	arrowType = "application/vnd.apache.arrow.stream"
)

// acceptable returns the form that the header Accept likes best; false where it allows neither. Of
// two that are liked alike the one named more exactly wins, then JSON.
func acceptable(headers []string) (string, bool) {
	accept := strings.Join(headers, ",")
	switch accept { // nearly always one of these
	case "", "*/*", jsonType:
		return jsonType, true
	case arrowType:
		return arrowType, true
	}
	json, arrow := likingOf(accept, jsonType), likingOf(accept, arrowType)
	if json.quality <= 0 && arrow.quality <= 0 {
		return "", false
	}
	if arrow.quality > json.quality || arrow.quality == json.quality && arrow.exact > json.exact {
		return arrowType, true
	}
	return jsonType, true
}

// liking is how a header Accept thinks of a media type.
type liking struct {
	quality float64
	exact   int // 1: any type at all, 2: any application, 3: this one
}

// likingOf takes the range that names the type most exactly, as RFC 9110 says.
func likingOf(accept, mediaType string) liking {
	var found liking
	for _, part := range strings.Split(accept, ",") {
		name, parameters, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		exact := map[string]int{"*/*": 1, "application/*": 2, mediaType: 3}[name]
		if exact <= found.exact {
			continue
		}
		quality := 1.0
		if text, weighed := parameters["q"]; weighed {
			if quality, err = strconv.ParseFloat(text, 64); err != nil {
				continue
			}
		}
		found = liking{quality, exact}
	}
	return found
}
