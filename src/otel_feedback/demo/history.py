def send_history(service, now): return "todo"
