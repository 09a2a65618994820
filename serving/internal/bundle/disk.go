package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ReadFile returns the bundle that WriteFile left at path. A missing file is fs.ErrNotExist.
func ReadFile(path string) (*Bundle, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the last good bundle: %w", err)
	}
	digest, body, ok := bytes.Cut(content, []byte("\n"))
	if !ok || string(digest) != Digest(body) {
		return nil, fmt.Errorf("%w: %s does not have the digest that it says", ErrCorrupt, path)
	}
	return Parse(body)
}

// WriteFile keeps a bundle for the next start. Whatever moment the machine stops at, the file is
// the old one or the new one, whole.
func WriteFile(path string, body []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("keep the bundle: %w", err)
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".bundle-*")
	if err != nil {
		return fmt.Errorf("keep the bundle: %w", err)
	}
	_, err = file.Write(append(append([]byte(Digest(body)), '\n'), body...))
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("keep the bundle: %w", err), os.Remove(file.Name()))
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes a rename outlive a power cut.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("keep the bundle: %w", err)
	}
	return errors.Join(folder.Sync(), folder.Close())
}
