// Package group knows consumer groups: joining them, standing beside them, and
// what their coordinators tell of them. It reads no records; what a member does
// with its partitions is its handler's business.
package group
