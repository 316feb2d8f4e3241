<?php

namespace Vpsd;

/** What the service, or the way to it, has against a request. */
class Refusal extends \Exception
{
}

/** The operator API of one vpsd, by what WHMCS knows of a server: the access hash is the token. */
class Client
{
    private const SECONDS = 30;
    private const TRIES = 3;

    private $base;
    private $token;

    public function __construct(array $params)
    {
        $isSecure = !empty($params['serversecure']);
        $port = $params['serverport'] ?? '';
        $this->base = ($isSecure ? 'https://' : 'http://') . $params['serverhostname']
            . ($port === '' ? '' : ':' . (int) $port) . '/api/v1/operator/';
        $this->token = trim($params['serveraccesshash']);
    }

    public function get($path)
    {
        return $this->send('GET', $path);
    }

    /** Carried out once, however often it must be sent: by the caller's key, or one of its own. */
    public function post($path, array $body = [], $key = null)
    {
        return $this->send('POST', $path, (object) $body, $key ?? bin2hex(random_bytes(16)));
    }

    public function delete($path)
    {
        $this->send('DELETE', $path);
    }

    /** All elements of a list, page by page. */
    public function each($path)
    {
        $after = 0;
        do {
            $page = $this->get($path . '&after=' . $after);
            foreach ($page['results'] as $element) {
                $after = $element['id'];
                yield $element;
            }
        } while (!empty($page['next']));
    }

    private function send($method, $path, $body = null, $key = null)
    {
        $headers = ['Authorization: Bearer ' . $this->token, 'Content-Type: application/json'];
        if ($key !== null) {
            $headers[] = 'Idempotency-Key: ' . $key;
        }
        for ($try = 1; ; $try++) {
            $handle = curl_init($this->base . $path);
            curl_setopt_array($handle, [
                CURLOPT_CUSTOMREQUEST => $method, CURLOPT_HTTPHEADER => $headers, CURLOPT_RETURNTRANSFER => true,
                CURLOPT_TIMEOUT => self::SECONDS, CURLOPT_PROTOCOLS => CURLPROTO_HTTP | CURLPROTO_HTTPS,
            ]);
            if ($body !== null) {
                curl_setopt($handle, CURLOPT_POSTFIELDS, json_encode($body));
            }
            $text = curl_exec($handle);
            $status = curl_getinfo($handle, CURLINFO_RESPONSE_CODE);
            $trouble = curl_error($handle);
            curl_close($handle);
            // Nobody knows whether a request that had no answer was carried out. With its key it is so once.
            if ($text !== false || $try === self::TRIES) {
                break;
            }
        }
        if ($text === false) {
            throw new Refusal('vpsd does not answer: ' . $trouble);
        }
        if ($status < 200 || $status > 299) {
            throw new Refusal(self::reason($status, $text));
        }
        return $text === '' ? null : json_decode($text, true);
    }

    /** What an administrator can read: the service's sentence, or those about the fields. */
    private static function reason($status, $text)
    {
        $body = json_decode($text, true);
        if (!is_array($body)) {
            return "vpsd answered with $status.";
        }
        if (isset($body['detail']) && is_string($body['detail'])) {
            return $status === 404 ? $body['detail'] . ' Is the token one of vpsd token create --operator?' : $body['detail'];
        }
        $reasons = [];
        foreach ($body as $field => $messages) {
            $reasons[] = $field . ': ' . (is_array($messages) ? json_encode($messages) : $messages);
        }
        return implode(' ', $reasons);
    }
}
