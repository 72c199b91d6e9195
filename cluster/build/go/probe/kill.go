package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const changePatience = time.Minute

func kill(pod, word string) error {
	processes, err := processesOf(pod, word)
	if err != nil {
		return err
	}
	return killAll(processes)
}

// killWhile aims at what a process does to its files: a kill in the midst of that cannot be had by
// asking for one from far away.
func killWhile(pod, word, files, times, delay string) error {
	wanted, err := strconv.Atoi(times)
	if err != nil {
		return err
	}
	wait, err := time.ParseDuration(delay)
	if err != nil {
		return err
	}
	processes, err := processesOf(pod, word)
	if err != nil {
		return err
	}
	if err := awaitChanges(filepath.Join(processes[0], "root", files), wanted); err != nil {
		return err
	}
	// Sleeping would be too long by as much as it is to last.
	for end := time.Now().Add(wait); time.Now().Before(end); {
	}
	return killAll(processes)
}

// awaitChanges watches without a rest: the processor's time is what the aim costs.
func awaitChanges(pattern string, times int) error {
	seen := map[string]time.Time{}
	look := func() (int, error) {
		changes := 0
		files, err := filepath.Glob(pattern)
		for _, file := range files {
			// What is not there any more is no change.
			if info, err := os.Stat(file); err == nil && info.ModTime() != seen[file] {
				seen[file] = info.ModTime()
				changes++
			}
		}
		return changes, err
	}
	if _, err := look(); err != nil {
		return err
	}
	for end := time.Now().Add(changePatience); times > 0; {
		changes, err := look()
		if err != nil {
			return err
		}
		times -= changes
		if time.Now().After(end) {
			return fmt.Errorf("%s has not changed so often within %s", pattern, changePatience)
		}
	}
	return nil
}

func processesOf(pod, word string) ([]string, error) {
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	var found []string
	for _, process := range all {
		// What cannot be read has ended meanwhile.
		groups, _ := os.ReadFile(process + "/cgroup")
		words, _ := os.ReadFile(process + "/cmdline")
		if ofPod(string(groups), pod) && bytes.Contains(words, []byte(word)) {
			found = append(found, process)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("pod %s has no process with %q in its command line", pod, word)
	}
	return found, nil
}

func killAll(processes []string) error {
	for _, process := range processes {
		id, err := strconv.Atoi(filepath.Base(process))
		if err != nil {
			return err
		}
		if err := syscall.Kill(id, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("kill %d: %w", id, err)
		}
		fmt.Println("killed", id)
	}
	return nil
}

// ofPod tells whether control groups are those of a pod. Where systemd manages them, a "_" stands
// for each "-".
func ofPod(groups, pod string) bool {
	return strings.Contains(groups, "pod"+pod) ||
		strings.Contains(groups, "pod"+strings.ReplaceAll(pod, "-", "_"))
}
