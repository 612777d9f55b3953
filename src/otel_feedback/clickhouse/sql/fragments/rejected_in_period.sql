Timestamp >= {since:DateTime('UTC')}
AND Timestamp < {until:DateTime('UTC')}
AND Source = 'end_user'
AND Label = 'negative'
AND ({service:String} = '' OR ServiceName = {service:String})
AND ({name:String} = '' OR Name = {name:String})
