package app_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"freshline/serving/internal/config"
	"freshline/serving/internal/golden"
	"freshline/serving/internal/grpcapi"
	"freshline/serving/internal/httpapi"
)

// table renders rows for Markdown.
func table(heads []string, rows [][]string) string {
	lines := []string{"| " + strings.Join(heads, " | ") + " |", "|" + strings.Repeat(" --- |", len(heads))}
	for _, row := range rows {
		for i := range row {
			row[i] = strings.ReplaceAll(row[i], "|", `\|`)
		}
		lines = append(lines, "| "+strings.Join(row, " | ")+" |")
	}
	return strings.Join(lines, "\n")
}

func code(text string) string {
	if text == "" {
		return "(empty)"
	}
	return "`" + text + "`"
}

func settingsTable() string {
	var rows [][]string
	for _, setting := range config.Settings() {
		rows = append(rows, []string{code(setting.Name), code(setting.Default), setting.Meaning})
	}
	return table([]string{"variable", "default", "meaning"}, rows)
}

func endpointsTable() string {
	var rows [][]string
	for _, endpoint := range httpapi.Endpoints() {
		rows = append(rows, []string{code(endpoint.Method + " " + endpoint.Path), endpoint.Meaning})
	}
	for _, procedure := range grpcapi.Procedures() {
		rows = append(rows, []string{code("POST " + procedure.Path), procedure.Meaning})
	}
	return table([]string{"endpoint", "meaning"}, rows)
}

func codesTable() string {
	var rows [][]string
	for _, known := range httpapi.Codes() {
		rows = append(rows, []string{code(known.Name), fmt.Sprint(known.Status), known.Meaning})
	}
	return table([]string{"code", "status", "meaning"}, rows)
}

// metricsTable reads the metrics off a running process, once something of everything has happened.
func metricsTable(t *testing.T) string {
	s := newSystem(t)
	s.control.Publish(bundleText(1, "r", time.Hour))
	p := s.start()
	p.untilReady()
	p.lookup(direct)
	_, text := p.get("/metrics")
	p.end()
	help, kinds, labels := map[string]string{}, map[string]string{}, map[string][]string{}
	for _, line := range strings.Split(text, "\n") {
		words := strings.SplitN(line, " ", 4)
		switch {
		case strings.HasPrefix(line, "# HELP freshline_"):
			help[words[2]] = words[3]
		case strings.HasPrefix(line, "# TYPE freshline_"):
			kinds[words[2]] = words[3]
		case strings.HasPrefix(line, "freshline_"):
			name, rest, _ := strings.Cut(line, "{")
			name = regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")
			for _, found := range regexp.MustCompile(`(\w+)="`).FindAllStringSubmatch(rest, -1) {
				if found[1] != "le" && !slices.Contains(labels[name], code(found[1])) {
					labels[name] = append(labels[name], code(found[1]))
				}
			}
		}
	}
	var rows [][]string
	for name := range help {
		slices.Sort(labels[name])
		rows = append(rows, []string{code(name), kinds[name], strings.Join(labels[name], ", "), help[name]})
	}
	slices.SortFunc(rows, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	return table([]string{"metric", "kind", "labels", "meaning"}, rows)
}

// TestTheReferencePagesSayWhatTheCodeSays: -rewrite writes the tables anew; read the diff.
func TestTheReferencePagesSayWhatTheCodeSays(t *testing.T) {
	tables := map[string]string{
		"settings": settingsTable(), "endpoints": endpointsTable(), "error codes": codesTable(), "metrics": metricsTable(t),
	}
	for page, names := range map[string][]string{
		"serving.md":  {"settings", "endpoints", "error codes", "metrics"},
		"settings.md": {"settings"},
		"metrics.md":  {"metrics"},
	} {
		path := filepath.Join(golden.Path("."), "..", "..", "docs", "reference", page)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			text = checkTable(t, page, name, tables[name], text)
		}
		if flag.Lookup("rewrite").Value.String() == "true" {
			if err := os.WriteFile(path, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func checkTable(t *testing.T, page, name, want string, text []byte) []byte {
	t.Helper()
	begins, ends := "<!-- serving: "+name+" -->\n\n", "\n\n<!-- end of serving: "+name+" -->"
	before, rest, ok := strings.Cut(string(text), begins)
	found, after, ended := strings.Cut(rest, ends)
	if !ok || !ended {
		t.Errorf("%s has lost the markers of the %s", page, name)
		return text
	}
	if found != want && flag.Lookup("rewrite").Value.String() != "true" {
		t.Errorf("%s: the %s are\n%s\nwant\n%s", page, name, found, want)
	}
	return []byte(before + begins + want + ends + after)
}
