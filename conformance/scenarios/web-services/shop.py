"""Service B: a web service that shows the products in its own database.

    shop.py PORT DATABASE
"""
import json
import sqlite3
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT, DATABASE = int(sys.argv[1]), sys.argv[2]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        database = sqlite3.connect(DATABASE, timeout=10)
        try:
            rows = database.execute('SELECT id, title, price FROM product ORDER BY id').fetchall()
        except sqlite3.OperationalError:  # the consumer has not made the table yet
            rows = []
        database.close()
        body = json.dumps([{'id': i, 'title': title, 'price': price} for i, title, price in rows]).encode()
        self.send_response(200)
        self.send_header('content-length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args):
        pass


server = ThreadingHTTPServer(('127.0.0.1', PORT), Handler)
print('serving')
server.serve_forever()
