"""The first page: what runs here and where to go next. It needs no script and no style of its own."""

HOME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Sayso server</title>
</head>
<body>
<main>
<h1>A Sayso server runs here</h1>
<p>It keeps what consumers have said about their privacy, and answers &ldquo;may I?&rdquo;
for the brands that asked them.</p>
<ul>
<li><a href="/openapi.json">What it can do (OpenAPI 3.1)</a></li>
<li><a href="/readyz">Whether it can take choices now</a></li>
</ul>
<p>Brands reach it with the <code>sayso</code> package and a key made by <code>sayso-server key create</code>.</p>
</main>
</body>
</html>
"""
