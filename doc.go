// SPDX-License-Identifier: AGPL-3.0-or-later

// Package essaim holds the words of open social innovation and their rules:
// the records that a territory publishes, the people and places behind them,
// and what may be done with them. It imports the standard library only.
package essaim
