-- The followers of an actor at one host, which is told how many they are.
CREATE INDEX follower_at ON follower (local, host, state, remote);
