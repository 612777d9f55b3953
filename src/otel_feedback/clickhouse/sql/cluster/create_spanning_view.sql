-- A view over all shards, from its migration. What a JOIN or IN needs beside a table over all shards is collected once.
$view
SETTINGS distributed_product_mode = 'global'
