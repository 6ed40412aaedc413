-- The log of a station, version 3: events that stay in the station.

-- Frames of LoRa devices as they came are events (kind "lora") that no uplink wants: whoever reads
-- all events passes over them without looking at each.
DROP INDEX entry_event;
CREATE INDEX entry_event ON entry (kind) WHERE kind = 2 AND NOT is_local; -- by seq
