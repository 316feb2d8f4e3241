wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"name": "bench", "plan_id": 3, "os_id": 3, "location": "us-west"}'
