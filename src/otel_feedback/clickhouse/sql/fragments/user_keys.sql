['user.id', 'enduser.pseudo.id', 'enduser.id', 'traceloop.association.properties.user_id']
