-- Adaptations are gone through, for their offers and their acknowledgements.
CREATE INDEX relation_adapts ON relation (rid, target) WHERE type = 'adapts';
