({service:String} = '' OR f.ServiceName = {service:String})
AND ({model:String} = '' AND {version:String} = '' OR f.FeedbackId IN (
    SELECT FeedbackId
    FROM rated_llm_calls
    WHERE {model:String} || {version:String} != ''
        AND ({model:String} = '' OR if(ResponseModel != '', ResponseModel, RequestModel) = {model:String})
        AND ({version:String} = '' OR PromptVersion = {version:String})
))
