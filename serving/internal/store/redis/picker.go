package redis

import "fmt"

// picker takes the fields that are asked for out of whole hashes. Hashes that were written alike have their fields
// in one order, so where the last one had a field the next is looked at first.
type picker struct {
	places map[string]int // of the fields that are asked for
	order  []int          // the places of the fields of the last hash; elsewhere for others
}

// maxOrder is of how many fields the order is kept from read to read.
const maxOrder = 1 << 12

// elsewhere is the place of a field that nobody asked for.
const elsewhere = -1

func (p *picker) begin(h *Hashes) {
	p.order = p.order[:0]
	if !h.Whole {
		return
	}
	if p.places == nil {
		p.places = make(map[string]int, len(h.Fields))
	}
	clear(p.places)
	for i, field := range h.Fields {
		p.places[field] = i
	}
}

// take takes the values of one hash.
func (p *picker) take(a *answers, h *Hashes, values [][]byte) error {
	n, err := a.begin('*')
	if err != nil {
		return err
	}
	// Noted before they come: of a hash that takes longer than the caller waits, its size is all that is learned.
	h.Size.Fields = max(h.Size.Fields, n/2)
	if n < 0 || n%2 != 0 || n > maxElements {
		return fmt.Errorf("%w: %d fields and values", errNotRedis, n)
	}
	clear(values)
	for i := range n / 2 {
		name, err := a.bulk()
		if err != nil {
			return err
		}
		// The name may be moved away from by the next piece that comes, but what was handed out stays.
		value, err := a.bulk()
		if err != nil {
			return err
		}
		if name == nil || value == nil {
			return fmt.Errorf("%w: a field without a name or a value", errNotRedis)
		}
		place := p.place(h, i, name)
		if place == elsewhere {
			h.Size.Other += len(value)
			continue
		}
		values[place] = value
		h.Size.Used += len(value)
	}
	return nil
}

// place returns the place of the field that is number i of its hash.
func (p *picker) place(h *Hashes, i int, name []byte) int {
	if i < len(p.order) {
		if place := p.order[i]; place != elsewhere && h.Fields[place] == string(name) {
			return place
		}
	}
	place, asked := p.places[string(name)]
	if !asked {
		place = elsewhere
	}
	for len(p.order) <= i {
		p.order = append(p.order, elsewhere)
	}
	p.order[i] = place
	return place
}
