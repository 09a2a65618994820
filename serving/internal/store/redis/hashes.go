package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/redis/rueidis"

	"freshline/serving/internal/lookup"
)

// Hashes asks for the same fields of many hashes: of one for each key of a read.
type Hashes struct {
	Before, After string // the key, in the name of its hash
	Fields        []string
	// Whole asks for hashes with all that is in them, and takes the fields out of that: for hashes of little else,
	// of which a server finds all fields faster than each.
	Whole bool
	// Measured counts the fields of the first hash, or with Whole what all of them hold: see Size.
	Measured bool
	Size     Size
	// Fill takes the values of a key, in the order of Fields; nil are those that its hash lacks. An error is that
	// key's alone. Unless Keep is set the values are good for this call only.
	Fill func(k int, values [][]byte) error
	// Keep lays all values into the read's memory, where they are good as long as the read's rows are.
	Keep bool

	read   *lookup.Read
	missed int
	err    error // of a key that was missed
}

// Size is what hashes were found to hold.
type Size struct {
	Fields      int // of the largest; 0: not known
	Used, Other int // bytes of the values asked for, and of others that came with them
}

// ReadHashes reads one hash for each key of the read, all in one pipeline per shard. Keys are missed as
// lookup.Store has it.
func (s *Store) ReadHashes(ctx context.Context, read *lookup.Read, ask *Hashes) error {
	client, err := s.Client()
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	ask.read, ask.missed, ask.err, ask.Size = read, 0, nil, Size{}
	if s.lines != nil {
		if line := s.lines.take(len(read.Keys)); line != nil {
			if s.over(ctx, line, ask) {
				return ask.outcome()
			}
			ask.forget()
		}
	}
	ask.through(ctx, client, s.option.ForceSingleClient)
	return ask.outcome()
}

func (s *Store) over(ctx context.Context, l *line, ask *Hashes) (answered bool) {
	defer s.lines.give(l) // also when Fill breaks
	return l.ask(ctx, ask)
}

// miss notes that a key could not be read.
func (h *Hashes) miss(k int, err error) {
	if !h.read.Missed[k] {
		h.read.Missed[k] = true
		h.missed++
	}
	h.err = err
}

// forget makes ready for reading all of it once more.
func (h *Hashes) forget() {
	clear(h.read.Missed)
	h.missed, h.err, h.Size = 0, nil, Size{Fields: h.Size.Fields}
}

func (h *Hashes) outcome() error {
	if h.missed > 0 && h.missed == len(h.read.Keys) {
		return h.err
	}
	h.read.Partial = h.err
	return nil
}

func (h *Hashes) name(k int) string { return h.Before + string(h.read.Keys[k]) + h.After }

// through asks over connections that reads share.
func (h *Hashes) through(ctx context.Context, client rueidis.Client, single bool) {
	commands := make(rueidis.Commands, len(h.read.Keys), len(h.read.Keys)+1)
	for k := range commands {
		switch name := h.name(k); {
		case h.Whole:
			commands[k] = client.B().Hgetall().Key(name).Build()
		case k > 0 && single:
			// Without its slot, which only a cluster asks for. The first has one: it chooses the connection.
			commands[k] = client.B().Arbitrary("HMGET").Args(name).Args(h.Fields...).ReadOnly()
		default:
			commands[k] = client.B().Hmget().Key(name).Field(h.Fields...).Build()
		}
	}
	if h.counts() {
		commands = append(commands, client.B().Hlen().Key(h.name(0)).Build())
	}
	values := make([][]byte, len(h.Fields))
	for k, result := range client.DoMulti(ctx, commands...) {
		if k == len(h.read.Keys) {
			if n, err := result.AsInt64(); err == nil { // else it stays unknown
				h.Size.Fields = int(n)
			}
			continue
		}
		err := h.valuesOf(result, values)
		if err == nil {
			err = h.Fill(k, values)
		}
		if err != nil {
			h.miss(k, err)
		}
	}
}

// counts tells whether a command more asks for the number of a hash's fields.
func (h *Hashes) counts() bool { return h.Measured && !h.Whole && len(h.read.Keys) > 0 }

func (h *Hashes) valuesOf(result rueidis.RedisResult, values [][]byte) error {
	if h.Whole {
		return h.pickOf(result, values)
	}
	fields, err := result.ToArray()
	if err != nil {
		return err
	}
	if len(fields) != len(values) {
		return fmt.Errorf("the server answered %d fields, %d were asked for", len(fields), len(values))
	}
	for i := range fields {
		if values[i] = nil; fields[i].IsNil() {
			continue
		}
		if values[i], err = fields[i].AsBytes(); err != nil {
			return err
		}
		if values[i] == nil { // of no bytes, and there all the same
			values[i] = []byte{}
		}
	}
	return nil
}

func (h *Hashes) pickOf(result rueidis.RedisResult, values [][]byte) error {
	fields, err := result.AsStrMap()
	if err != nil {
		return err
	}
	all, used := 0, 0
	for _, value := range fields {
		all += len(value)
	}
	for i, field := range h.Fields {
		values[i] = nil
		if value, ok := fields[field]; ok {
			values[i] = []byte(value)
			used += len(value)
		}
	}
	h.Size.Fields = max(h.Size.Fields, len(fields))
	h.Size.Used += used
	h.Size.Other += all - used
	return nil
}

// appendHead and appendTail append what is the same in the command for every key, before its name and behind it.
func (h *Hashes) appendHead(to []byte) []byte {
	if h.Whole {
		return append(to, "*2\r\n$7\r\nHGETALL\r\n"...)
	}
	to = strconv.AppendInt(append(to, '*'), int64(2+len(h.Fields)), 10)
	return append(to, "\r\n$5\r\nHMGET\r\n"...)
}

func (h *Hashes) appendTail(to []byte) []byte {
	if h.Whole {
		return to
	}
	for _, field := range h.Fields {
		to = appendWord(to, field)
	}
	return to
}

// appendName appends the name of a key's hash, as a command has it.
func (h *Hashes) appendName(to, key []byte) []byte {
	to = strconv.AppendInt(append(to, '$'), int64(len(h.Before)+len(key)+len(h.After)), 10)
	to = append(append(append(to, '\r', '\n'), h.Before...), key...)
	return append(append(to, h.After...), '\r', '\n')
}

// appendWord appends one word of a command.
func appendWord(to []byte, word string) []byte {
	to = strconv.AppendInt(append(to, '$'), int64(len(word)), 10)
	return append(append(append(to, '\r', '\n'), word...), '\r', '\n')
}

// IsRefusal tells an error that is one command's from one of the connection.
func IsRefusal(err error) bool {
	var refusal Refusal
	_, shared := rueidis.IsRedisErr(err)
	return shared || errors.As(err, &refusal)
}
