package app

import (
	"fmt"
	"strings"

	"freshline/serving/internal/lookup"
	"freshline/serving/internal/store/dynamo"
	"freshline/serving/internal/store/feast"
	"freshline/serving/internal/store/redis"
	"freshline/serving/internal/store/sqlite"
)

// store is what the parts need of a store together.
type store interface {
	lookup.Store
	lookup.Pinger
	Close()
}

// stores is every store that this process was told of, by name.
type stores map[string]store

// openStores opens all of them; nothing is contacted yet.
func openStores(urls map[string]string) (stores, error) {
	opened := make(stores, len(urls))
	for name, storeURL := range urls {
		one, err := openStore(storeURL)
		if err != nil {
			opened.close()
			return nil, fmt.Errorf("store %s: %w", name, err)
		}
		opened[name] = one
	}
	return opened, nil
}

func openStore(storeURL string) (store, error) {
	scheme, rest, _ := strings.Cut(storeURL, "://")
	feasts := strings.TrimPrefix(storeURL, "feast+")
	switch scheme {
	case "sqlite":
		return sqlite.New(sqlitePath(rest)), nil
	case "dynamodb":
		return opened(dynamo.New(storeURL))
	case "feast+sqlite":
		return feast.NewSQLite(sqlitePath(rest)), nil
	case "feast+dynamodb":
		return opened(feast.NewDynamo(feasts))
	}
	if feasts != storeURL {
		return opened(feast.NewRedis(feasts))
	}
	return opened(redis.New(storeURL))
}

// opened keeps a store that is nil from becoming an interface that is not.
func opened[S store](one S, err error) (store, error) {
	if err != nil {
		return nil, err
	}
	return one, nil
}

// sqlitePath reads sqlite:////abs and sqlite:///abs as absolute, and sqlite:///.rel as relative.
func sqlitePath(rest string) string {
	path := "/" + strings.TrimLeft(rest, "/")
	if strings.HasPrefix(path, "/.") {
		return path[1:]
	}
	return path
}

func (s stores) close() {
	for _, one := range s {
		one.Close()
	}
}

func (s stores) readers() lookup.Stores {
	readers := make(lookup.Stores, len(s))
	for name, one := range s {
		readers[name] = one
	}
	return readers
}

func (s stores) pingers() lookup.Pingers {
	pingers := make(lookup.Pingers, len(s))
	for name, one := range s {
		pingers[name] = one
	}
	return pingers
}
