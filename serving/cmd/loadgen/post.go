package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// answerWithin bounds one request: a server that hangs ends the measurement instead of stretching it.
const answerWithin = time.Minute

var errNoLength = errors.New("an answer without a Content-Length")

// dialers returns for each target what opens a connection to it.
func (p *Plan) dialers() ([]func() (asker, error), error) {
	dial := make([]func() (asker, error), len(p.Targets))
	for t := range p.Targets {
		target := &p.Targets[t]
		if target.Fetch != nil {
			prepared, err := target.Fetch.prepare(p.Bodies)
			if err != nil {
				return nil, err
			}
			dial[t] = prepared.dial
			continue
		}
		requests := target.render(p)
		dial[t] = func() (asker, error) { return target.dial(requests) }
	}
	return dial, nil
}

// render makes the bytes of every request beforehand.
func (t *Target) render(p *Plan) [][]byte {
	accept := ""
	if t.Accept != "" {
		accept = "Accept: " + t.Accept + "\r\n"
	}
	requests := make([][]byte, len(p.Bodies))
	for i, body := range p.Bodies {
		requests[i] = fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n%s",
			t.Path, t.Address, accept, len(body), body)
	}
	return requests
}

func (t *Target) dial(requests [][]byte) (asker, error) {
	conn, err := net.DialTimeout("tcp", t.Address, answerWithin)
	if err != nil {
		return nil, err
	}
	return &poster{conn: conn, reader: bufio.NewReaderSize(conn, 64<<10), requests: requests}, nil
}

// poster is an HTTP connection that reads no more of an answer than its status and its length.
type poster struct {
	conn     net.Conn
	reader   *bufio.Reader
	requests [][]byte
	until    time.Time // the connection's deadline
}

func (p *poster) close() { _ = p.conn.Close() }

func (p *poster) ask(i int) (int64, error) {
	// The deadline is moved once a second: moving it costs a request as much as reading its headers.
	if now := time.Now(); p.until.Sub(now) < answerWithin-time.Second {
		p.until = now.Add(answerWithin)
		if err := p.conn.SetDeadline(p.until); err != nil {
			return 0, err
		}
	}
	if _, err := p.conn.Write(p.requests[i%len(p.requests)]); err != nil {
		return 0, err
	}
	status, size, err := p.readHead()
	if err != nil {
		return 0, fmt.Errorf("read an answer: %w", err)
	}
	if status != "200" {
		text, _ := io.ReadAll(io.LimitReader(p.reader, min(size, 500)))
		return 0, fmt.Errorf("the server answered %s: %s", status, text)
	}
	if _, err = p.reader.Discard(int(size)); err != nil {
		return 0, fmt.Errorf("read an answer: %w", err)
	}
	return size, nil
}

// readHead reads up to the empty line before the body.
func (p *poster) readHead() (status string, size int64, err error) {
	line, err := p.reader.ReadSlice('\n')
	if err != nil {
		return "", 0, err
	}
	words := bytes.Fields(line)
	if len(words) < 2 {
		return "", 0, fmt.Errorf("%.40q is no status", line)
	}
	if status = "200"; string(words[1]) != status {
		status = string(words[1])
	}
	size = -1
	for {
		line, err = p.reader.ReadSlice('\n')
		if err != nil {
			return "", 0, err
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		if bytes.EqualFold(name, []byte("Content-Length")) {
			if size, err = strconv.ParseInt(string(bytes.TrimSpace(value)), 10, 64); err != nil {
				return "", 0, err
			}
		}
	}
	if size < 0 {
		return "", 0, errNoLength
	}
	return status, size, nil
}
