package app_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestARequestUnderWayIsAnsweredBeforeTheProcessEnds(t *testing.T) {
	s := newSystem(t)
	s.control.Publish(bundleText(1, "r", time.Hour))
	s.put("UA", time.Now(), 12.25, 7, "N1")
	p := s.start()
	p.untilReady()
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /v1/lookup HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(direct), direct[:10])
	// Connections are accepted in order: once a later one is answered, ours belongs to the server.
	p.get("/health")
	time.AfterFunc(100*time.Millisecond, func() { _, _ = io.WriteString(conn, direct[10:]) })
	p.end()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, _ := io.ReadAll(response.Body); response.StatusCode != http.StatusOK || !strings.Contains(string(body), "12.25") {
		t.Errorf("answered %d: %s", response.StatusCode, body)
	}
	if status, _ := p.get("/health"); status != 0 {
		t.Errorf("the process still answers %d", status)
	}
}

func TestNoRequestSeesTwoBundles(t *testing.T) {
	s := newSystem(t)
	s.control.Publish(bundleText(1, "r", time.Hour))
	s.put("UA", time.Now(), 1, 1, "N1")
	p := s.start()
	p.untilReady()
	done := make(chan struct{})
	var askers sync.WaitGroup
	for range 3 {
		askers.Go(func() {
			last := 0
			for {
				select {
				case <-done:
					return
				default:
				}
				status, text := p.post("/v1/lookup", direct)
				// The contract's version is the bundle's number in every bundle of this test.
				found := regexp.MustCompile(`"number":(\d+)},"contracts":{"carrier":(\d+)}`).FindStringSubmatch(text)
				if status != http.StatusOK || found == nil || found[1] != found[2] {
					t.Errorf("answered %d: %s", status, text)
					return
				}
				var number int
				fmt.Sscan(found[1], &number)
				if number < last {
					t.Errorf("number %d after %d", number, last)
				}
				last = number
			}
		})
	}
	for number := 2; number <= 30; number++ {
		s.control.Publish(bundleText(number, "r", time.Hour))
		until(t, "the bundle is in force", func() bool { return p.lookup(direct).Bundle.Number == number })
	}
	close(done)
	askers.Wait()
}

func TestProfilesAreOnAnAddressOfTheirOwn(t *testing.T) {
	s := newSystem(t)
	s.env["FRESHLINE_SERVING_PPROF_LISTEN"] = "127.0.0.1:0"
	p := s.start()
	var address string
	until(t, "the profiles are served", func() bool {
		if found := regexp.MustCompile(`"msg":"profiles","address":"([^"]+)"`).FindStringSubmatch(p.log.String()); found != nil {
			address = found[1]
		}
		return address != ""
	})
	response, err := http.Get("http://" + address + "/debug/pprof/goroutine?debug=1")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if status, _ := p.get("/debug/pprof/"); response.StatusCode != 200 || status != 404 {
		t.Errorf("profiles answered %d there and %d on the lookup address", response.StatusCode, status)
	}
}

func TestWithoutAnAddressOfTheirOwnThereAreNoProfiles(t *testing.T) {
	p := newSystem(t).start()
	if status, _ := p.get("/debug/pprof/"); status != http.StatusNotFound || strings.Contains(p.log.String(), `"msg":"profiles"`) {
		t.Errorf("profiles are served: %d\n%s", status, p.log)
	}
}
