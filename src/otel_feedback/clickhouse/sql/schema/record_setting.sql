-- Tell the views a setting, unless they know it already. Parameters: {name:String} {value:String}.
INSERT INTO service_settings (Name, Value)
SELECT {name:String}, {value:String}
WHERE (SELECT argMax(Value, Time) FROM service_settings WHERE Name = {name:String}) != {value:String}
