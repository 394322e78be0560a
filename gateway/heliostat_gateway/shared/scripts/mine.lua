-- Ids of a gateway's open requests. 1 gateway
return {redis.call('SMEMBERS', P .. 'gateway:' .. ARGV[1])}
