// SPDX-License-Identifier: AGPL-3.0-or-later

// Package french cuts French text into the terms that search compares, and
// reads the queries that people type.
//
// One analyser feeds both databases, so that a query finds the same records
// on each: PostgreSQL's own French configuration and SQLite's tokenizers
// disagree on accents, elisions and plurals. "Les Vélos de l’École" and
// "ecole velo" give the same terms.
package french
