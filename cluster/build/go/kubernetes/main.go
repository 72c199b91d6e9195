// Command kubernetes is every program of a Kubernetes control plane and node, and kubectl, in one
// binary.
//
// One binary of 135 MB takes the place of six of 60 to 90 MB each, since nearly all their code is
// the same. As with busybox, the name it is called by (a link named kubelet is the kubelet) or else
// its first argument says which program to be.
package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	_ "time/tzdata" // CronJobs may name a time zone, and a small host has no zone files.

	"github.com/spf13/cobra"
	_ "k8s.io/client-go/plugin/pkg/client/auth"
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// The programs as functions, not as commands: making a command sets up things that a process has
// only once (signal handlers, feature gates, logging), so no more than the chosen one is made.
var programs = map[string]func(){
	"kube-apiserver":          func() { run(apiserver.NewAPIServerCommand()) },
	"kube-controller-manager": func() { run(controllermanager.NewControllerManagerCommand()) },
	"kube-scheduler":          func() { run(scheduler.NewSchedulerCommand()) },
	// The kubelet installs its signal handler itself; a second one would panic.
	"kubelet":    func() { run(kubelet.NewKubeletCommand(context.Background())) },
	"kube-proxy": func() { run(proxy.NewProxyCommand()) },
	"kubectl":    runKubectl,
}

func main() {
	program, found := programs[filepath.Base(os.Args[0])]
	if !found && len(os.Args) > 1 {
		program, found = programs[os.Args[1]]
		// The program sees its arguments as if it had been called by its own name.
		os.Args = os.Args[1:]
	}
	if !found {
		names := slices.Sorted(maps.Keys(programs))
		fmt.Fprintf(os.Stderr, "usage: kubernetes {%s} [argument...]\n", strings.Join(names, "|"))
		os.Exit(2)
	}
	program()
}

func run(command *cobra.Command) {
	os.Exit(cli.Run(command))
}

// runKubectl does what upstream's main of kubectl does: verbosity counts while the command is still
// being made, and errors are worded for people.
func runKubectl() {
	_, _ = logs.GlogSetter(kubectl.GetLogVerbosity(os.Args))
	if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
		kubectlutil.CheckErr(err)
	}
}
