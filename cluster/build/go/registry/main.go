// Command registry serves images to a cluster. It lets everybody pull, and push only whoever knows the credentials of
// the one who booted the cluster: what a pod puts there would run in other pods.
package main

import (
	"crypto/subtle"
	"flag"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	address := flag.String("address", "127.0.0.1:5000", "where to listen, as host:port")
	disk := flag.String("disk", "", "the directory of the blobs; manifests are kept in memory")
	credentials := flag.String("credentials", "", "the file that holds name:password of whoever may push")
	flag.Parse()
	known, err := os.ReadFile(*credentials)
	if err != nil {
		log.Fatal(err)
	}
	images := registry.New(registry.WithBlobHandler(registry.NewDiskBlobHandler(*disk)))
	server := &http.Server{
		Addr:              *address,
		Handler:           pushedBy(strings.TrimSpace(string(known)), images),
		ReadHeaderTimeout: 10 * time.Second,
	}
	log.Fatal(server.ListenAndServe())
}

// pushedBy passes on what only reads, and the rest with the right credentials.
func pushedBy(known string, images http.Handler) http.Handler {
	return http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		name, password, shown := request.BasicAuth()
		reads := request.Method == http.MethodGet || request.Method == http.MethodHead
		right := subtle.ConstantTimeCompare([]byte(name+":"+password), []byte(known)) == 1
		if !reads && !(shown && right) {
			answer.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
			http.Error(answer, "pushes want the credentials of whoever booted the cluster", http.StatusUnauthorized)
			return
		}
		images.ServeHTTP(answer, request)
	})
}
