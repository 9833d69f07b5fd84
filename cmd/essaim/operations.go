// SPDX-License-Identifier: AGPL-3.0-or-later

package main

// operations is the table of what commands ask of a node, through the socket
// or not.
func operations() map[string]operation {
	return map[string]operation{
		"node.show":         answering(showNode),
		"backup":            streaming(backupNode),
		"doctor":            answering(examine),
		"import.begin":      answering(beginImport),
		"import.rows":       answering(importRows),
		"import.compare":    answering(compareRows),
		"import.end":        answering(endImport),
		"import.undo":       answering(undoImport),
		"import.list":       answering(listImports),
		"export":            streaming(exportRecords),
		"user.add":          answering(addUser),
		"user.list":         answering(listUsers),
		"user.role":         answering(setRole),
		"user.disable":      answering(disableUser),
		"user.delete":       answering(deleteUser),
		"user.link":         answering(linkUser),
		"user.publish":      answering(publishUser),
		"user.unpublish":    answering(unpublishUser),
		"actor.list":        answering(listActors),
		"actor.set":         answering(setActor),
		"token.create":      answering(createToken),
		"token.list":        answering(listTokens),
		"token.revoke":      answering(revokeToken),
		"peer.follow":       answering(followPeer),
		"peer.list":         answering(listPeers),
		"peer.account":      answering(followAccount),
		"peer.accounts":     answering(listAccounts),
		"peer.unaccount":    answering(removeAccount),
		"peer.show":         answering(showPeer),
		"peer.remove":       answering(removePeer),
		"peer.trust":        answering(trustPeer),
		"peer.requests":     answering(listRequests),
		"peer.answer":       answering(answerRequests),
		"peer.retry":        answering(retryPeer),
		"peer.sync":         answering(syncPeer),
		"moderate.list":     answering(listItems),
		"moderate.show":     answering(showItem),
		"moderate.decide":   answering(decideItem),
		"moderate.measure":  answering(takeMeasure),
		"moderate.measures": answering(listMeasures),
		"moderate.journal":  answering(listDecisions),
		"queue.list":        answering(listQueue),
		"queue.retry":       answering(retryQueue),
		"queue.drop":        answering(dropQueue),
	}
}
