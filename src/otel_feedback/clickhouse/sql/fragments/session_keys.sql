[
    'session.id', 'gen_ai.conversation.id', 'traceloop.association.properties.session_id',
    'traceloop.association.properties.conversation_id', 'traceloop.association.properties.chat_id'
]
