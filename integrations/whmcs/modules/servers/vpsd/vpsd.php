<?php
/**
 * Sells servers of vpsd with WHMCS. What a service's server is called tells whose it is, so that nothing has to be remembered
 * here, and each call can be made again after a lost answer. docs/billing-panels.md says how it is installed.
 */

if (!defined('WHMCS')) {
    die('This file cannot be accessed directly.');
}

require_once __DIR__ . '/lib/Client.php';

use Vpsd\Client;
use Vpsd\Refusal;
use WHMCS\Database\Capsule;

function vpsd_MetaData()
{
    return [
        'DisplayName' => 'vpsd',
        'APIVersion' => '1.1',
        'RequiresServer' => true,
        'DefaultNonSSLPort' => '8080',
        'DefaultSSLPort' => '443',
        'ServiceSingleSignOnLabel' => 'Log in to the panel',
    ];
}

/** In the order of configoption1 to configoption4. */
function vpsd_ConfigOptions()
{
    return [
        'Plan' => ['Type' => 'text', 'Size' => '10', 'Description' => 'The id of a plan.'],
        'Operating system' => ['Type' => 'text', 'Size' => '10', 'Description' => 'The id of an operating system.'],
        'Location' => ['Type' => 'text', 'Size' => '20', 'Description' => 'The code of a location.'],
        'Credit' => ['Type' => 'text', 'Size' => '10', 'Default' => '0',
            'Description' => 'What is credited at the start, and with each renewal: 5.00.'],
    ];
}

function vpsd_TestConnection(array $params)
{
    try {
        (new Client($params))->get('hosts/?page_size=1');
        return ['success' => true, 'error' => ''];
    } catch (Exception $error) {
        return ['success' => false, 'error' => $error->getMessage()];
    }
}

function vpsd_CreateAccount(array $params)
{
    return vpsd_carryOut($params, function (Client $client) use ($params) {
        $account = vpsd_account($client, $params);
        vpsd_credit($client, $account, $params);
        if (vpsd_find($client, $params) !== null) {
            return;
        }
        $order = [
            'account_id' => $account['id'],
            'name' => vpsd_name($params),
            'plan_id' => (int) $params['configoption1'],
            'os_id' => (int) $params['configoption2'],
            'location' => $params['configoption3'],
        ];
        if (!empty($params['domain'])) {
            $order['hostname'] = $params['domain'];
        }
        $server = $client->post('servers/', $order);
        $params['model']->serviceProperties->save([
            'Username' => $server['username'], 'Password' => $server['password'],
        ]);
    });
}

function vpsd_SuspendAccount(array $params)
{
    return vpsd_carryOut($params, function (Client $client) use ($params) {
        $reason = preg_replace('/^(.{0,255}).*$/us', '$1', (string) ($params['suspendreason'] ?? ''));
        $client->post('servers/' . vpsd_server($client, $params)['id'] . '/suspend/', ['reason' => $reason]);
    });
}

function vpsd_UnsuspendAccount(array $params)
{
    return vpsd_carryOut($params, function (Client $client) use ($params) {
        $client->post('servers/' . vpsd_server($client, $params)['id'] . '/resume/');
    });
}

/** What is not there any more is what was wanted. */
function vpsd_TerminateAccount(array $params)
{
    return vpsd_carryOut($params, function (Client $client) use ($params) {
        $server = vpsd_find($client, $params);
        if ($server !== null) {
            $client->delete('servers/' . $server['id'] . '/');
        }
    });
}

function vpsd_ChangePackage(array $params)
{
    return vpsd_carryOut($params, function (Client $client) use ($params) {
        $server = vpsd_server($client, $params);
        if ($server['plan']['id'] !== (int) $params['configoption1']) {
            $client->post('servers/' . $server['id'] . '/resize/', ['plan_id' => (int) $params['configoption1']]);
        }
    });
}

/** The invoice of another period is paid. */
function vpsd_Renew(array $params)
{
    return vpsd_carryOut($params, function (Client $client) use ($params) {
        vpsd_credit($client, vpsd_account($client, $params), $params);
    });
}

/** Of all services on this server of WHMCS, once a day; in MB, as WHMCS has them. */
function vpsd_UsageUpdate(array $params)
{
    try {
        $client = new Client($params);
        foreach ($client->each('servers/?search=service-') as $server) {
            if (!preg_match('/^service-([0-9]+)$/', $server['name'], $found)) {
                continue;
            }
            $read = $client->get('servers/' . $server['id'] . '/');
            Capsule::table('tblhosting')->where('server', $params['serverid'])->where('id', (int) $found[1])->update([
                'diskusage' => $read['resource_usage']['disk_used'] * 1024,
                'disklimit' => $read['plan']['storage'] * 1024,
                'bwusage' => $read['resource_usage']['bandwidth_used'] * 1000,
                'bwlimit' => $read['plan']['bandwidth'] * 1000,
                'lastupdate' => Capsule::raw('now()'),
            ]);
        }
    } catch (Exception $error) {
        vpsd_log('UsageUpdate', $error);
    }
}

function vpsd_ServiceSingleSignOn(array $params)
{
    try {
        $client = new Client($params);
        $account = vpsd_server($client, $params)['account'];
        $link = $client->post('accounts/' . $account['id'] . '/login-link/');
        return ['success' => true, 'redirectTo' => $link['url']];
    } catch (Exception $error) {
        return ['success' => false, 'errorMsg' => $error->getMessage()];
    }
}

/** 'success', or what went wrong, as WHMCS wants to be told. */
function vpsd_carryOut(array $params, callable $work)
{
    try {
        $work(new Client($params));
        return 'success';
    } catch (Exception $error) {
        vpsd_log(debug_backtrace(DEBUG_BACKTRACE_IGNORE_ARGS, 2)[1]['function'], $error);
        return $error->getMessage();
    }
}

function vpsd_log($action, Exception $error)
{
    if (function_exists('logModuleCall')) {
        logModuleCall('vpsd', $action, '', $error->getMessage());
    }
}

function vpsd_name(array $params)
{
    return 'service-' . (int) $params['serviceid'];
}

/** The server of a service; null where there is none. */
function vpsd_find(Client $client, array $params)
{
    return $client->get('servers/?name=' . vpsd_name($params))['results'][0] ?? null;
}

function vpsd_server(Client $client, array $params)
{
    $server = vpsd_find($client, $params);
    if ($server === null) {
        throw new Refusal('There is no server ' . vpsd_name($params) . '.');
    }
    return $server;
}

/** The account with the client's e-mail address, made where there is none. */
function vpsd_account(Client $client, array $params)
{
    $details = $params['clientsdetails'];
    $found = $client->get('accounts/?email=' . rawurlencode($details['email']))['results'];
    return $found[0] ?? $client->post('accounts/', [
        'email' => $details['email'], 'first_name' => (string) ($details['firstname'] ?? ''),
        'last_name' => (string) ($details['lastname'] ?? ''), 'company_name' => (string) ($details['companyname'] ?? ''),
    ]);
}

/** Once for each period of a service, whoever calls how often: the key says which one it is. */
function vpsd_credit(Client $client, array $account, array $params)
{
    $amount = trim((string) ($params['configoption4'] ?? ''));
    if ($amount === '' || (float) $amount == 0) {
        return;
    }
    $period = (string) $params['model']->nextduedate;
    $client->post(
        'accounts/' . $account['id'] . '/credit/',
        ['amount' => $amount, 'note' => 'Service ' . (int) $params['serviceid'] . ', ' . $period],
        'whmcs-credit-' . (int) $params['serviceid'] . '-' . $period);
}
