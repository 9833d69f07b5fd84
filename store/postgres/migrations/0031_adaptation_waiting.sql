-- Offers that overtook their records are not kept for ever.
CREATE INDEX adaptation_waiting ON adaptation (at) WHERE state = 'waiting';
