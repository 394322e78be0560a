-- Ids of a gateway's open requests. 1 gateway
return {'ok', redis.call('SMEMBERS', P .. 'gateway:' .. ARGV[1])}
