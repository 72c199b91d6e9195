// Command probe is the one tool inside test pods: it serves, asks, dials, holds connections, tunnels,
// shares a directory, uses up memory and disk, searches, and kills, each as a subcommand, so that an image of a single
// static binary is enough.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const usage = `usage: probe COMMAND
  serve            HTTP on $PORT (8080): / host name, /echo the request as JSON, /sleep?s=SECONDS
  get URL          GET; prints status and body; exit 0 when the status is 2xx
  dial HOST:PORT   connects by TCP; exit 0 when connected within 2 s
  lookup NAME      resolves; prints one address a line
  hold HOST:PORT COUNT [FIRST [THEN]]
                   keeps so many connections open, anew where one ends; on each sends FIRST, and THEN each
                   second (\r and \n are characters); prints each second how many are open
  proxy            HTTP CONNECT proxy on :1080, to any host and port
  share DIR        HTTP on the pod's loopback, port 8080: GET / the directory as tar, GET /usage its files
                   and bytes, PUT / takes a tar in, DELETE / empties it; ends after 5 lonely minutes
  eat BYTES        takes and touches memory, then waits
  fill FILE BYTES  writes; prints the bytes written and the error
  find DIR TEXT    prints the files below DIR that hold TEXT, one a line
  kill POD WORD    sends SIGKILL to the processes of the pod (its UID) whose command line holds WORD;
                   prints their ids; needs the host's processes in view, and their user
  kill POD WORD FILES TIMES DELAY
                   the same, so long after one of the files of a process (a pattern, such as /data/*/x)
                   has been made or changed for the so-manieth time; within a minute
  sleep            waits for SIGTERM`

const (
	dialPatience = 2 * time.Second
	// As long as the longest documented timeout of an ingress: no answer is cut short by the probe.
	getPatience = 10 * time.Minute
)

func main() {
	// Process 1 of a container ignores signals it has no handler for, and the pod would only end
	// after its whole grace period.
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	if err := run(stop, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

func run(stop context.Context, arguments []string) error {
	command, operands := "", []string(nil)
	if len(arguments) > 0 {
		command, operands = arguments[0], arguments[1:]
	}
	switch {
	case command == "serve" && len(operands) == 0:
		return serve(stop)
	case command == "get" && len(operands) == 1:
		return get(stop, operands[0])
	case command == "dial" && len(operands) == 1:
		return dial(stop, operands[0])
	case command == "lookup" && len(operands) == 1:
		return lookup(stop, operands[0])
	case command == "hold" && len(operands) >= 2 && len(operands) <= 4:
		return hold(stop, operands[0], operands[1], operands[2:])
	case command == "proxy" && len(operands) == 0:
		return proxy(stop)
	case command == "share" && len(operands) == 1:
		return share(stop, operands[0])
	case command == "eat" && len(operands) == 1:
		return eat(stop, operands[0])
	case command == "fill" && len(operands) == 2:
		return fill(operands[0], operands[1])
	case command == "find" && len(operands) == 2:
		return find(operands[0], operands[1])
	case command == "kill" && len(operands) == 2:
		return kill(operands[0], operands[1])
	case command == "kill" && len(operands) == 5:
		return killWhile(operands[0], operands[1], operands[2], operands[3], operands[4])
	case command == "sleep" && len(operands) == 0:
		<-stop.Done()
		return nil
	}
	return errors.New(usage)
}

func serve(stop context.Context) error {
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	routes := http.NewServeMux()
	routes.HandleFunc("/", func(answer http.ResponseWriter, _ *http.Request) {
		name, _ := os.Hostname()
		fmt.Fprintln(answer, name)
	})
	routes.HandleFunc("/echo", echo)
	routes.HandleFunc("/sleep", func(answer http.ResponseWriter, request *http.Request) {
		seconds, err := strconv.ParseFloat(request.URL.Query().Get("s"), 64)
		if err != nil {
			http.Error(answer, "s: "+err.Error(), http.StatusBadRequest)
			return
		}
		time.Sleep(time.Duration(seconds * float64(time.Second)))
		fmt.Fprintf(answer, "slept %g s\n", seconds)
	})
	return listen(stop, ":"+port, routes)
}

// echo answers what arrived. The body is counted, not kept: 100 MiB must fit a small pod.
func echo(answer http.ResponseWriter, request *http.Request) {
	length, err := io.Copy(io.Discard, request.Body)
	seen := map[string]any{
		"method":     request.Method,
		"path":       request.URL.RequestURI(),
		"host":       request.Host,
		"headers":    request.Header,
		"bodyLength": length,
	}
	if err != nil {
		seen["bodyError"] = err.Error()
	}
	answer.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(answer).Encode(seen)
}

func get(stop context.Context, url string) error {
	request, err := http.NewRequestWithContext(stop, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	client := http.Client{Timeout: getPatience}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	fmt.Println(answer.Status)
	if _, err := io.Copy(os.Stdout, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode/100 != 2 {
		return errors.New(answer.Status)
	}
	return nil
}

func dial(stop context.Context, address string) error {
	connection, err := (&net.Dialer{Timeout: dialPatience}).DialContext(stop, "tcp", address)
	if err != nil {
		return err
	}
	fmt.Println("connected to", connection.RemoteAddr())
	return connection.Close()
}

func lookup(stop context.Context, name string) error {
	addresses, err := net.DefaultResolver.LookupHost(stop, name)
	if err != nil {
		return err
	}
	fmt.Println(strings.Join(addresses, "\n"))
	return nil
}

func proxy(stop context.Context) error {
	return listen(stop, ":1080", http.HandlerFunc(tunnel))
}

// tunnel joins the client to the host and port it names, byte by byte in both directions. The name
// is resolved here, in the pod, so that it means what it means to the pod's neighbours.
func tunnel(answer http.ResponseWriter, request *http.Request) {
	if request.Method != http.MethodConnect {
		http.Error(answer, "only CONNECT", http.StatusMethodNotAllowed)
		return
	}
	dialer := net.Dialer{Timeout: dialPatience}
	target, err := dialer.DialContext(request.Context(), "tcp", request.Host)
	if err != nil {
		http.Error(answer, err.Error(), http.StatusBadGateway)
		return
	}
	defer target.Close()
	client, buffered, err := http.NewResponseController(answer).Hijack()
	if err != nil {
		http.Error(answer, err.Error(), http.StatusInternalServerError)
		return
	}
	defer client.Close()
	if _, err := io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	sent := make(chan struct{})
	go func() {
		// Through the server's buffer: the client may have spoken before it heard the answer.
		_, _ = io.Copy(target, buffered)
		halfClose(target)
		// A target that has refused a body may have ended the connection, and its answer is still under way
		// to the client: who closes with bytes unread resets the connection, and the answer is lost.
		_, _ = io.Copy(io.Discard, buffered)
		close(sent)
	}()
	_, _ = io.Copy(client, target)
	halfClose(client)
	<-sent
}

// halfClose passes on an end of stream and leaves the other direction open: a peer may still be
// answering.
func halfClose(connection net.Conn) {
	if tcp, ok := connection.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
}

func listen(stop context.Context, address string, handler http.Handler) error {
	server := http.Server{Addr: address, Handler: handler}
	go func() {
		<-stop.Done()
		_ = server.Close()
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func eat(stop context.Context, bytes string) error {
	size, err := strconv.ParseInt(bytes, 10, 64)
	if err != nil {
		return err
	}
	// Memory counts only once a page has been written to; in steps, so that the log shows how far
	// it came.
	const step = 1 << 20
	var eaten [][]byte
	for taken := int64(0); taken < size; taken += step {
		piece := make([]byte, min(step, size-taken))
		for offset := 0; offset < len(piece); offset += os.Getpagesize() {
			piece[offset] = 1
		}
		eaten = append(eaten, piece)
	}
	fmt.Println("ate", size, "bytes")
	<-stop.Done()
	// Used here so that the collector does not give it back while waiting.
	fmt.Println("held", len(eaten), "pieces")
	return nil
}

// fill reports and succeeds even when the disk is full: how far it came is the answer.
func fill(path, bytes string) error {
	size, err := strconv.ParseInt(bytes, 10, 64)
	if err != nil {
		return err
	}
	written, err := write(path, size)
	fmt.Printf("wrote %d bytes", written)
	if err != nil {
		fmt.Printf(": %v", err)
	}
	fmt.Println()
	return nil
}

func write(path string, size int64) (written int64, err error) {
	file, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	// Not zeros: a file system may keep those for nothing.
	piece := make([]byte, 1<<20)
	for offset := range piece {
		piece[offset] = byte(offset*31 + 7)
	}
	for written < size && err == nil {
		var count int
		count, err = file.Write(piece[:min(int64(len(piece)), size-written)])
		written += int64(count)
	}
	// Delayed allocation finds out only now that there is no room.
	return written, errors.Join(err, file.Sync(), file.Close())
}

func find(directory, text string) error {
	return filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if err == nil && bytes.Contains(content, []byte(text)) {
			fmt.Println(path)
		}
		return err
	})
}
