// SPDX-License-Identifier: AGPL-3.0-or-later

// Package convergence shows that nodes that replicate each other come to hold
// the same, whatever happened to them: five nodes, on SQLite and PostgreSQL, each
// of which follows the four others, write a history drawn from a seed while
// deliveries are lost, connections are cut and reset, processes die, databases are
// damaged, an origin's among them. Once that stops, two periods of comparing must leave the same documents
// and the same rows on all five, and exactly what each origin acknowledged.
//
// The nodes are the store and the federation half of the program, whole, on real
// databases, in this process: on a network in memory, which plays the proxy that
// loses and cuts, and by one clock that the rig moves. A seed takes two simulated
// days in a second or two. Nothing runs in the background: the rig gives each
// node its turn (Server.TurnOutwards and its like), so that history and faults
// follow from the seed alone and a seed that failed fails again.
//
// A death is, here, a node that is cut off in the middle of a request, whose store
// is dropped and whose database is opened again as it was at that moment. That
// shows what the program makes of it, not that the database survives: the
// processes of process_test.go are the real binary and get kill -9, at moments that
// no seed can repeat. Nor do turns show what workers do to each other side by side;
// processes do.
//
// Counted as repaired is what was seen to differ after a fault and, after the node
// read from others or what had been held up was sent again, to differ no more. What
// a later change hid counts against it, and four faults of five must count. A delivery
// that was reset counts once it is made again; a reset reading only where it kept a
// difference from being mended, once that is. Each kind of fault must befall. Not
// counted are lost Offers and Accepts of adaptations: they are between two actors,
// are made again daily, and are in no dump.
package convergence
