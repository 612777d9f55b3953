toValidUTF8(substringUTF8(multiIf(
    {attribute:String} != '', firstNonDefault(own.Tag, near.Tag),
    {by:String} = 'prompt_version', toString(call.PromptVersion),
    {by:String} = 'prompt_name', toString(call.PromptName),
    {by:String} = 'request_model', toString(call.RequestModel),
    {by:String} = 'response_model', toString(call.ResponseModel),
    {by:String} = 'model', toString(if(call.ResponseModel != '', call.ResponseModel, call.RequestModel)),
    {by:String} = 'provider', toString(call.Provider),
    toString(call.ServiceName)
), 1, 200))
