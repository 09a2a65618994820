// Package config reads the settings of serving from the environment, each once, and checks them at
// start: what is wrong is said before the first request, by name and with what is allowed.
package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// Setting documents one environment variable.
type Setting struct {
	Name    string
	Default string
	Meaning string
}

// Config is the settings, checked.
type Config struct {
	Listen            string
	SocketFD          int               // of an inherited listening socket; -1: none
	Stores            map[string]string // URLs by name; STORE_URL's name is bundle.DefaultStore
	ControlURL        string
	Token             string
	TokenFile         string
	Home              string
	AuthRequired      bool
	Name              string
	Timeout           time.Duration
	MaxBodyBytes      int
	MaxEntities       int
	MaxFeatures       int
	MaxConcurrent     int
	WatermarkInterval time.Duration
	ObserveInterval   time.Duration
	SampleEvery       int
	SpoolBytes        int
	PassTimeout       time.Duration
	PassTokenFile     string // of callers who send no token
	DrainTimeout      time.Duration
	PprofListen       string
	TLSCert           string
	TLSKey            string
	TLSClientCA       string
	LogLevel          string
}

// Load reads the settings through lookup, as os.LookupEnv is. It returns every problem at once.
func Load(lookup func(string) (string, bool)) (Config, error) {
	r := reader{lookup: lookup}
	c := Config{
		Listen:            r.address("FRESHLINE_SERVING_LISTEN"),
		SocketFD:          r.descriptor("FRESHLINE_SERVING_SOCKET_FD"),
		Stores:            r.stores("STORE_URL", "FRESHLINE_STORES"),
		ControlURL:        r.httpURL("FRESHLINE_CONTROL_URL"),
		Token:             r.text("FRESHLINE_SERVING_TOKEN"),
		TokenFile:         r.text("FRESHLINE_SERVING_TOKEN_FILE"),
		Home:              r.text("FRESHLINE_SERVING_HOME"),
		Name:              r.text("FRESHLINE_SERVING_NAME"),
		Timeout:           r.duration("FRESHLINE_LOOKUP_TIMEOUT"),
		MaxBodyBytes:      r.positive("FRESHLINE_LOOKUP_MAX_BODY_BYTES"),
		MaxEntities:       r.positive("FRESHLINE_LOOKUP_MAX_ENTITIES"),
		MaxFeatures:       r.positive("FRESHLINE_LOOKUP_MAX_FEATURES"),
		MaxConcurrent:     r.positive("FRESHLINE_LOOKUP_MAX_CONCURRENT"),
		WatermarkInterval: r.duration("FRESHLINE_WATERMARK_INTERVAL"),
		ObserveInterval:   r.duration("FRESHLINE_OBSERVE_INTERVAL"),
		SampleEvery:       r.natural("FRESHLINE_OBSERVE_SAMPLE_EVERY"),
		SpoolBytes:        r.positive("FRESHLINE_OBSERVE_SPOOL_BYTES"),
		PassTimeout:       r.duration("FRESHLINE_PASS_THROUGH_TIMEOUT"),
		PassTokenFile:     r.text("FRESHLINE_PASS_THROUGH_TOKEN_FILE"),
		DrainTimeout:      r.duration("FRESHLINE_SERVING_DRAIN_TIMEOUT"),
		PprofListen:       r.loopback("FRESHLINE_SERVING_PPROF_LISTEN"),
		TLSCert:           r.file("FRESHLINE_SERVING_TLS_CERT"),
		TLSKey:            r.file("FRESHLINE_SERVING_TLS_KEY"),
		TLSClientCA:       r.file("FRESHLINE_SERVING_TLS_CLIENT_CA"),
		LogLevel:          r.oneOf("FRESHLINE_SERVING_LOG_LEVEL", "debug", "info", "warn", "error"),
	}
	auth := r.oneOf("FRESHLINE_LOOKUP_AUTH", "auto", "required", "off")
	c.AuthRequired = auth == "required" || auth == "auto" && !isLoopback(c.Listen)
	if c.PassTokenFile != "" && c.AuthRequired {
		r.problem("FRESHLINE_PASS_THROUGH_TOKEN_FILE", c.PassTokenFile,
			"would let anybody write: only where lookups need no token either (FRESHLINE_LOOKUP_AUTH)")
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		r.problem("FRESHLINE_SERVING_TLS_CERT", "", "needs FRESHLINE_SERVING_TLS_KEY, and the other way round")
	}
	if c.TLSClientCA != "" && c.TLSCert == "" {
		r.problem("FRESHLINE_SERVING_TLS_CLIENT_CA", "", "needs FRESHLINE_SERVING_TLS_CERT")
	}
	if c.Name == "" {
		c.Name = hostName()
	}
	return c, errors.Join(r.problems...)
}

func hostName() string {
	name, err := os.Hostname()
	if err != nil {
		return "serving"
	}
	return name
}

type reader struct {
	lookup   func(string) (string, bool)
	problems []error
}

func (r *reader) text(name string) string {
	if value, ok := r.lookup(name); ok && value != "" {
		return value
	}
	return setting(name).Default
}

func setting(name string) Setting {
	for _, s := range Settings() {
		if s.Name == name {
			return s
		}
	}
	return Setting{}
}

func (r *reader) problem(name, value, allowed string) {
	r.problems = append(r.problems, fmt.Errorf("%s=%q: %s", name, value, allowed))
}

func (r *reader) duration(name string) time.Duration {
	value := r.text(name)
	duration, err := time.ParseDuration(value)
	if err != nil || duration <= 0 {
		r.problem(name, value, "write a duration above 0, as 100ms or 10s")
	}
	return duration
}

func (r *reader) natural(name string) int {
	value := r.text(name)
	number, err := strconv.Atoi(value)
	if err != nil || number < 0 {
		r.problem(name, value, "write a whole number, 0 or more")
	}
	return number
}

func (r *reader) descriptor(name string) int {
	if r.text(name) == "" {
		return -1
	}
	number := r.natural(name)
	if number < 3 {
		r.problem(name, strconv.Itoa(number), "0 to 2 are the terminal's: write the number of a listening socket")
	}
	return number
}

func (r *reader) positive(name string) int {
	value := r.text(name)
	number, err := strconv.Atoi(value)
	if err != nil || number < 1 {
		r.problem(name, value, "write a whole number above 0")
	}
	return number
}

func (r *reader) oneOf(name string, options ...string) string {
	value := r.text(name)
	for _, option := range options {
		if value == option {
			return value
		}
	}
	r.problem(name, value, "write one of "+strings.Join(options, ", "))
	return value
}

func (r *reader) address(name string) string {
	value := r.text(name)
	if _, _, err := net.SplitHostPort(value); err != nil {
		r.problem(name, value, "write host:port, as 127.0.0.1:6566")
	}
	return value
}

func (r *reader) loopback(name string) string {
	value := r.text(name)
	if value == "" {
		return ""
	}
	if !isLoopback(r.address(name)) {
		r.problem(name, value, "profiles show memory: only a loopback address is allowed")
	}
	return value
}

func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (r *reader) httpURL(name string) string {
	value := r.text(name)
	parsed, err := url.Parse(value)
	if err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https" {
		r.problem(name, value, "write an address that begins with http:// or https://")
	}
	return value
}

func (r *reader) file(name string) string {
	value := r.text(name)
	if value == "" {
		return ""
	}
	if _, err := os.Stat(value); err != nil {
		r.problem(name, value, err.Error())
	}
	return value
}
