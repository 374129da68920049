package main

import "time"

// config is what the flags, the environment, the profile and the file agree on,
// decoded once. Values of a single command live in that command's options.
type config struct {
	brokers string
	file    string
	profile string
	x       []string
	timeout time.Duration
	color   string
	verbose int
	quiet   bool
	tuning  tuning
}

func defaultConfig() config {
	return config{brokers: "127.0.0.1:9092", timeout: 30 * time.Second, color: "auto", tuning: defaultTuning()}
}
