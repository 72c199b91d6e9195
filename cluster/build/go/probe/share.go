package main

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// The pod's loopback: who may forward a port to the pod may ask, and no neighbour.
	shareAddress = "127.0.0.1:8080"
	// A pod whose client was killed must not stay. Longer than a release may take to end, which its client waits for.
	shareSolitude = 5 * time.Minute
	// What file systems put into the root of a volume, and no pod can read.
	lostAndFound = "lost+found"
)

// share serves a directory until nobody has asked for a while.
func share(stop context.Context, root string) error {
	stop, leave := context.WithCancel(stop)
	defer leave()
	solitude := time.AfterFunc(shareSolitude, leave)
	var asking atomic.Int32
	routes := http.NewServeMux()
	routes.HandleFunc("GET /usage", func(answer http.ResponseWriter, _ *http.Request) { measure(answer, root) })
	routes.HandleFunc("GET /{$}", func(answer http.ResponseWriter, _ *http.Request) { send(answer, root) })
	routes.HandleFunc("PUT /{$}", func(answer http.ResponseWriter, request *http.Request) {
		err := receive(request.Body, root)
		// Who is still sending would not hear the answer.
		_, _ = io.Copy(io.Discard, request.Body)
		conclude(answer, err)
	})
	routes.HandleFunc("DELETE /{$}", func(answer http.ResponseWriter, _ *http.Request) { conclude(answer, empty(root)) })
	return listen(stop, shareAddress, http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		asking.Add(1)
		solitude.Stop()
		defer func() {
			if asking.Add(-1) == 0 {
				solitude.Reset(shareSolitude)
			}
		}()
		routes.ServeHTTP(answer, request)
	}))
}

func conclude(answer http.ResponseWriter, err error) {
	status := http.StatusNoContent
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		status = http.StatusInsufficientStorage
	case err != nil:
		status = http.StatusInternalServerError
	}
	answer.WriteHeader(status)
	if err != nil {
		_, _ = fmt.Fprint(answer, err)
	}
}

// measure tells how many files there are, and how many bytes are in them.
func measure(answer http.ResponseWriter, root string) {
	var files, bytes int64
	err := walk(root, func(_, _ string, info fs.FileInfo) error {
		if info.Mode().IsRegular() {
			files++
			bytes += info.Size()
		}
		return nil
	})
	if err != nil {
		conclude(answer, err)
		return
	}
	_ = json.NewEncoder(answer).Encode(map[string]int64{"files": files, "bytes": bytes})
}

// send writes the directory as tar. What goes wrong after the first byte has no status any more: the answer is cut
// off, and the reason stands in the log.
func send(answer http.ResponseWriter, root string) {
	archive := tar.NewWriter(answer)
	err := walk(root, func(path, name string, info fs.FileInfo) error {
		header, err := tar.FileInfoHeader(info, "")
		if err != nil {
			return err
		}
		header.Name = name
		header.Format = tar.FormatPAX
		if info.IsDir() {
			header.Name += "/"
		}
		if err := archive.WriteHeader(header); err != nil || info.IsDir() {
			return err
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		// One that shrinks or grows meanwhile is an error of the archive.
		_, err = io.Copy(archive, file)
		return err
	})
	if err = errors.Join(err, archive.Close()); err != nil {
		log.Println("probe: share:", err)
		panic(http.ErrAbortHandler)
	}
}

// receive writes what a tar holds into the directory, down to the disk; files that are there are not replaced.
func receive(stream io.Reader, root string) error {
	archive := tar.NewReader(stream)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return settle(root)
		}
		if err != nil {
			return err
		}
		if !filepath.IsLocal(header.Name) {
			return fmt.Errorf("%s leads out of the directory", header.Name)
		}
		path, mode := filepath.Join(root, header.Name), header.FileInfo().Mode().Perm()
		switch header.Typeflag {
		case tar.TypeDir:
			err = os.MkdirAll(path, mode)
		case tar.TypeReg:
			err = take(archive, path, mode)
		default:
			err = fmt.Errorf("%s is neither a file nor a directory", header.Name)
		}
		if err != nil {
			return err
		}
	}
}

func take(content io.Reader, path string, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o770); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	// Delayed allocation finds out only now that there is no room.
	return errors.Join(err, file.Sync(), file.Close())
}

// settle makes the names of files as durable as their content.
func settle(root string) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		if path != root && entry.Name() == lostAndFound {
			return fs.SkipDir
		}
		directory, err := os.Open(path)
		if err != nil {
			return err
		}
		return errors.Join(directory.Sync(), directory.Close())
	})
}

func empty(root string) error {
	entries, err := os.ReadDir(root)
	for _, entry := range entries {
		if entry.Name() != lostAndFound {
			err = errors.Join(err, os.RemoveAll(filepath.Join(root, entry.Name())))
		}
	}
	return err
}

// walk visits the files and directories below the root, each with its path and its name in the directory.
func walk(root string, visit func(path, name string, info fs.FileInfo) error) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if name == lostAndFound {
			return fs.SkipDir
		}
		info, err := entry.Info()
		if err != nil || !(info.IsDir() || info.Mode().IsRegular()) {
			return err
		}
		return visit(path, name, info)
	})
}
