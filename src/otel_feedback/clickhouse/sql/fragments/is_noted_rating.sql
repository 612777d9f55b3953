(name, attributes) -> name = 'gen_ai.evaluation.result' AND (
    arrayExists(key -> attributes[key] IN (
        SELECT Id FROM deletions WHERE Run IN {runs:Array(String)} AND Kind = 'user'
    ), ['user.id', 'enduser.pseudo.id', 'enduser.id', 'traceloop.association.properties.user_id'])
    OR arrayExists(key -> attributes[key] IN (
        SELECT Id FROM deletions WHERE Run IN {runs:Array(String)} AND Kind = 'session'
    ), ['session.id', 'gen_ai.conversation.id'])
    OR attributes['gen_ai.response.id'] IN (
        SELECT Id FROM deletions WHERE Run IN {runs:Array(String)} AND Kind = 'response'
    )
)
