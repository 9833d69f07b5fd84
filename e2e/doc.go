// SPDX-License-Identifier: AGPL-3.0-or-later

// Package e2e tests the program from outside: real processes, real HTTP over
// loopback, nothing of its insides.
package e2e
