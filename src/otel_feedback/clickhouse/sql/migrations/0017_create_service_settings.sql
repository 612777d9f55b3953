-- Settings that views need: Name, Value; written by `otel-feedback migrate` and by every start of the service.
CREATE TABLE IF NOT EXISTS service_settings (
    Name String,
    Value String,
    Time DateTime64(9) DEFAULT now64(9)
)
ENGINE = ReplacingMergeTree(Time)
ORDER BY Name
