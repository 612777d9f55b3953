$view
SETTINGS distributed_product_mode = 'global'
