curl -sf http://localhost:8000/health
