// Command kafkactl is a kcat-style suite for Apache Kafka.
package main

func main() {}
