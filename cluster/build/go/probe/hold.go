package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// More would be a load on the node and not a question to a server.
	holdMost = 500
	// After a connection has ended or was refused, so that a server that refuses at once is not drummed upon.
	holdPause = 200 * time.Millisecond
	// Between two pieces of what is sent slowly.
	holdPace = time.Second
	holdTold = time.Second
)

// hold keeps connections open, and opens each anew that ends, until it is stopped. On each it sends what it is given,
// and then, if there is more, the rest piece by piece, for ever: \r and \n stand for the characters.
// Each second it prints how many connections are open.
func hold(stop context.Context, address, number string, words []string) error {
	count, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	if count < 1 || count > holdMost {
		return fmt.Errorf("%d connections: between 1 and %d can be held", count, holdMost)
	}
	escapes := strings.NewReplacer(`\r`, "\r", `\n`, "\n")
	pieces := []string{"", ""}
	for at, word := range words {
		pieces[at] = escapes.Replace(word)
	}
	var open atomic.Int32
	var holders sync.WaitGroup
	for range count {
		holders.Add(1)
		go func() {
			defer holders.Done()
			for stop.Err() == nil {
				holdOne(stop, address, pieces[0], pieces[1], &open)
				wait(stop, holdPause)
			}
		}()
	}
	for stop.Err() == nil {
		wait(stop, holdTold)
		fmt.Fprintln(os.Stdout, open.Load())
	}
	holders.Wait()
	return nil
}

// holdOne holds one connection until the other side ends it. An answer is read, and not looked at.
func holdOne(stop context.Context, address, first, then string, open *atomic.Int32) {
	connection, err := (&net.Dialer{Timeout: dialPatience}).DialContext(stop, "tcp", address)
	if err != nil {
		return
	}
	defer connection.Close()
	open.Add(1)
	defer open.Add(-1)
	go func() {
		_, err := io.WriteString(connection, first)
		for err == nil && then != "" && stop.Err() == nil {
			wait(stop, holdPace)
			_, err = io.WriteString(connection, then)
		}
	}()
	ended := context.AfterFunc(stop, func() { _ = connection.Close() })
	defer ended()
	if _, err := io.Copy(io.Discard, connection); err != nil && !errors.Is(err, net.ErrClosed) {
		return
	}
}

func wait(stop context.Context, duration time.Duration) {
	select {
	case <-stop.Done():
	case <-time.After(duration):
	}
}
