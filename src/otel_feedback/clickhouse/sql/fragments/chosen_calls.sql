Timestamp >= {since:DateTime('UTC')}
AND Timestamp < {until:DateTime('UTC')}
AND ({service:String} = '' OR ServiceName = {service:String})
AND ({model:String} = '' OR if(ResponseModel != '', ResponseModel, RequestModel) = {model:String})
AND ({version:String} = '' OR PromptVersion = {version:String})
