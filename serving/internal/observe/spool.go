package observe

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	unfinished = ".part"
	// abandonedAfter is when a file that is still unfinished belongs to a process that was killed.
	abandonedAfter = time.Hour
)

// spool keeps reports on disk, oldest first, within a bound. One goroutine uses it.
type spool struct {
	folder   string
	maxBytes int64
}

// names returns the reports that wait; their names sort by age.
func (s *spool) names() ([]string, error) {
	entries, err := os.ReadDir(s.folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var names []string
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), ".json") {
			names = append(names, entry.Name())
		}
	}
	slices.Sort(names)
	return names, err
}

func (s *spool) read(name string) ([]byte, error) { return os.ReadFile(filepath.Join(s.folder, name)) }

// remove is content with a report that is gone: during a restart two processes share the folder.
func (s *spool) remove(name string) error {
	err := os.Remove(filepath.Join(s.folder, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// loss is what was dropped: reports, and those that they in turn told of.
type loss struct{ reports, told int64 }

// put adds a report and drops the oldest ones that no longer fit.
func (s *spool) put(name string, document []byte) (dropped loss, err error) {
	if err := os.MkdirAll(s.folder, 0o700); err != nil {
		return loss{}, fmt.Errorf("spool a report: %w", err)
	}
	temporary := filepath.Join(s.folder, name+unfinished)
	if err := writeSynced(temporary, document); err != nil {
		return loss{}, fmt.Errorf("spool a report: %w", errors.Join(err, os.Remove(temporary)))
	}
	if err := os.Rename(temporary, filepath.Join(s.folder, name+".json")); err != nil {
		return loss{}, fmt.Errorf("spool a report: %w", err)
	}
	return s.trim()
}

func writeSynced(path string, document []byte) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(document)
	return errors.Join(err, file.Sync(), file.Close())
}

// sweep removes what processes that were killed while they wrote left behind.
func (s *spool) sweep(now time.Time) error {
	entries, err := os.ReadDir(s.folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, entry := range entries {
		info, statErr := entry.Info()
		if statErr == nil && strings.HasSuffix(entry.Name(), unfinished) && now.Sub(info.ModTime()) > abandonedAfter {
			err = errors.Join(err, s.remove(entry.Name()))
		}
	}
	return err
}

func (s *spool) trim() (dropped loss, err error) {
	names, err := s.names()
	if err != nil {
		return loss{}, err
	}
	sizes, total := make([]int64, len(names)), int64(0)
	for i, name := range names {
		if info, err := os.Stat(filepath.Join(s.folder, name)); err == nil {
			sizes[i] = info.Size()
			total += sizes[i]
		}
	}
	for i := 0; i < len(names)-1 && total > s.maxBytes; i++ {
		told := s.dropsToldBy(names[i])
		if err := s.remove(names[i]); err != nil {
			return dropped, fmt.Errorf("trim the spool: %w", err)
		}
		total -= sizes[i]
		dropped.reports++
		dropped.told += told
	}
	return dropped, nil
}

// dropsToldBy returns the count that would be lost with a report, so that the next one can tell it.
func (s *spool) dropsToldBy(name string) int64 {
	var report struct {
		Dropped int64 `json:"dropped"`
	}
	document, err := s.read(name)
	if err != nil || json.Unmarshal(document, &report) != nil {
		return 0
	}
	return report.Dropped
}
