package app

import (
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
)

// protocols are HTTP/1 and HTTP/2, which gRPC needs: with TLS by agreement, without it by prior knowledge.
func protocols() *http.Protocols {
	var spoken http.Protocols
	spoken.SetHTTP1(true)
	spoken.SetHTTP2(true)
	spoken.SetUnencryptedHTTP2(true)
	return &spoken
}

// serveProfiles serves Go's profiles on an address of their own, which config allows on loopback only.
func (a *App) serveProfiles() (stop func(), err error) {
	if a.config.PprofListen == "" {
		return func() {}, nil
	}
	listener, err := net.Listen("tcp", a.config.PprofListen)
	if err != nil {
		return nil, fmt.Errorf("FRESHLINE_SERVING_PPROF_LISTEN=%q: %w", a.config.PprofListen, err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: headerTimeout}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // ends when stop closes it
	}()
	a.log.Info("profiles", "address", listener.Addr().String())
	return func() {
		_ = server.Close()
		<-done
	}, nil
}
