<?php
/** Stands for WHMCS: calls one function of the module with what is on the standard input, and tells what came of it as JSON. */

namespace WHMCS\Database {
    class Capsule
    {
        public static $updates = [];
        private $conditions = [];

        public static function table($name)
        {
            $table = new self();
            $table->conditions['table'] = $name;
            return $table;
        }

        public static function raw($text)
        {
            return $text;
        }

        public function where($column, $value)
        {
            $this->conditions[$column] = $value;
            return $this;
        }

        public function update(array $values)
        {
            self::$updates[] = $this->conditions + $values;
        }
    }
}

namespace {
    class ServiceProperties
    {
        public $saved = [];

        public function save(array $values)
        {
            $this->saved = $values + $this->saved;
        }
    }

    class Service
    {
        public $serviceProperties;
        public $nextduedate;

        public function __construct($nextduedate)
        {
            $this->serviceProperties = new ServiceProperties();
            $this->nextduedate = $nextduedate;
        }
    }

    define('WHMCS', true);
    $logged = [];
    function logModuleCall($module, $action, $request, $response)
    {
        global $logged;
        $logged[] = [$module, $action, $response];
    }

    require __DIR__ . '/../../integrations/whmcs/modules/servers/vpsd/vpsd.php';

    $call = json_decode(stream_get_contents(STDIN), true);
    $params = $call['params'] + ['model' => new Service($call['nextduedate'] ?? '2026-02-01')];
    $result = ('vpsd_' . $call['function'])($params);
    echo json_encode([
        'result' => $result, 'saved' => $params['model']->serviceProperties->saved,
        'updates' => WHMCS\Database\Capsule::$updates, 'logged' => $logged,
    ]), "\n";
}
